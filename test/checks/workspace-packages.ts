import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = <T>(...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8')) as T;

/**
 * Workspace packages that a package imports without saying so: in its package.json (the
 * image of an app is built from what it lists) or in its tsconfig.json (the order of the build). dependency-cruiser sees
 * neither: a workspace import has the same path, listed or not.
 */
export function unlistedWorkspacePackages(root: string): string[] {
  const folders = globSync('{apps,libs}/*', { cwd: root }).filter((folder) => existsSync(join(root, folder, 'package.json')));
  return folders.flatMap((folder) => {
    const { dependencies = {} } = read<{ dependencies?: Record<string, string> }>(root, folder, 'package.json');
    const { references = [] } = read<{ references?: { path: string }[] }>(root, folder, 'tsconfig.json');
    return importedBy(join(root, folder)).flatMap((name) => [
      ...(name in dependencies ? [] : [`${folder}/package.json lacks ${name}`]),
      ...(references.some(({ path }) => path.endsWith(name.replace(/^.*\//, '/'))) ? [] : [`${folder}/tsconfig.json lacks ${name}`]),
    ]);
  });
}

function importedBy(folder: string): string[] {
  const sources = globSync('src/**/*.ts', { cwd: folder }).filter((path) => !/\.(spec|fixture)\.ts$/.test(path));
  const names = sources.flatMap((path) =>
    [...readFileSync(join(folder, path), 'utf8').matchAll(/from '(@sky-genesis\/[^'/]+)/g)].map(([, name]) => name!),
  );
  return [...new Set(names)].sort();
}
