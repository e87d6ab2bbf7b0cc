'use strict';
// Where a registry lacks the binaries built for other platforms, npm leaves them out of the lock file and `npm ci`
// then refuses that file (EUSAGE, "Missing: ... from lock file"). This puts the entries back, without integrity.
// Run after every `npm install`; with --check it only says whether any is missing.
const { readFileSync, writeFileSync } = require('node:fs');

const FILE = 'package-lock.json';
const OS = /openharmony|darwin|freebsd|android|win32|linux|netbsd|openbsd|sunos|aix|wasm32/;
const CPU = /arm64|aarch64|armv7|arm(?=-)|riscv64|ppc64|s390x|loong64|ia32|x64|mips64el/;
const CPU_NAMES = { aarch64: 'arm64', armv7: 'arm' };

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = {};
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const os = OS.exec(name)?.[0];
    if (lock.packages[key] || !os || !/^\d/.test(version)) continue;
    const cpu = CPU.exec(name)?.[0];
    const libc = /musl/.test(name) ? 'musl' : /-gnu/.test(name) ? 'glibc' : undefined;
    missing[key] = {
      version,
      ...(cpu && { cpu: [CPU_NAMES[cpu] ?? cpu] }),
      ...(entry.dev && { dev: true }),
      optional: true,
      os: [os],
      ...(libc && { libc: [libc] }),
    };
  }
}

const count = Object.keys(missing).length;
if (process.argv.includes('--check')) {
  if (count > 0) {
    console.error(`package-lock.json lacks ${count} optional packages: run "npm run lock"`);
    process.exit(1);
  }
} else {
  const packages = { ...lock.packages, ...missing };
  lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(FILE, JSON.stringify(lock, null, 2) + '\n');
  console.log(`${count} entries added to ${FILE}`);
}
