import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadSync, type Options, type PackageDefinition } from '@grpc/proto-loader';
import { protoPath as healthProtoPath } from 'grpc-health-check';

const FOLDER = join(__dirname, '..');

/** These must agree with the options in `buf.gen.yaml`: the same messages, seen by Node and by tsc. */
const loaderOptions: Options = {
  keepCase: false,
  longs: String,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
  includeDirs: [FOLDER],
};

let loaded: PackageDefinition | undefined;

/**
 * sky_genesis and grpc.health.v1, for servers and clients, with the descriptors as buf wrote them: proto-loader
 * re-encodes descriptors and loses maps, `optional`, names and comments, which reflection then shows wrongly.
 */
export function loadPackage(): PackageDefinition {
  if (loaded) return loaded;
  nameAnyAsGenerated();
  const definition = loadSync(['sky_genesis.proto', healthProtoPath], loaderOptions);
  const files = splitFileDescriptorSet(readFileSync(join(FOLDER, 'descriptors.binpb')));
  for (const entry of Object.values(definition)) {
    if ('fileDescriptorProtos' in entry) {
      entry.fileDescriptorProtos = files;
    } else {
      for (const method of Object.values(entry)) {
        for (const type of [method.requestType, method.responseType]) {
          if (type) type.fileDescriptorProtos = files;
        }
      }
    }
  }
  loaded = definition;
  return definition;
}

/**
 * protobufjs, which proto-loader works with, brings google.protobuf.Any along and takes it for the file, with a field
 * `type_url` whatever keepCase says: what is given as `typeUrl`, as in the generated types, would be left out silently.
 */
function nameAnyAsGenerated(): void {
  const protobufjs = createRequire(require.resolve('@grpc/proto-loader'))('protobufjs') as {
    common(name: string, definition: object): void;
  };
  protobufjs.common('any', { Any: { fields: { typeUrl: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } } });
}

/** FileDescriptorSet is `repeated FileDescriptorProto file = 1`: a tag (0x0a), a varint length, the bytes. */
function splitFileDescriptorSet(set: Buffer): Buffer[] {
  const files: Buffer[] = [];
  let at = 0;
  while (at < set.length) {
    if (set[at++] !== 0x0a) throw new Error('descriptors.binpb is not a FileDescriptorSet');
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = set.readUInt8(at++);
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    files.push(set.subarray(at, at + length));
    at += length;
  }
  return files;
}
