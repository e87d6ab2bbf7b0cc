import { join } from 'node:path';
import { PlantedFiles } from './planted-files';
import { unlistedWorkspacePackages } from './workspace-packages';

test('every package lists the workspace packages that it imports', () => {
  expect(unlistedWorkspacePackages(join(__dirname, '../..'))).toEqual([]);
});

test('one that is not listed is found, except in tests', () => {
  const files = new PlantedFiles();
  files.write({
    'libs/listed/package.json': JSON.stringify({ dependencies: { '@sky-genesis/proto': '*' } }),
    'libs/listed/tsconfig.json': JSON.stringify({ references: [{ path: '../proto' }] }),
    'libs/listed/src/a.ts': "import { loadPackage } from '@sky-genesis/proto';\n",
    'libs/listed/src/a.spec.ts': "import { RuleError } from '@sky-genesis/grpc';\n",
    'apps/lucky/package.json': '{}',
    'apps/lucky/tsconfig.json': '{}',
    'apps/lucky/src/mail/a.ts': "import { RuleError } from '@sky-genesis/grpc/rule-error';\n",
  });
  expect(unlistedWorkspacePackages(files.folder)).toEqual([
    'apps/lucky/package.json lacks @sky-genesis/grpc',
    'apps/lucky/tsconfig.json lacks @sky-genesis/grpc',
  ]);
  files.remove();
});
