import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { isCompressed } from './compressed-rpcs';

/** Of grpc-js's WriteFlags, which are types only. */
const NO_COMPRESS = 2;
/** Of grpc-js's `compressionAlgorithms`. */
const GZIP = 2;

/** Options of a channel whose requests are compressed where `requestCompression` lets them; grpc-js asks the server what it reads. */
export const compressedChannel = { 'grpc.default_compression_algorithm': GZIP };

/**
 * Keeps requests of less than so many bytes, and chunks of files, from the compression that the channel does for all. The last
 * interceptor: the size is known when the message is serialized, below it.
 */
export const requestCompression =
  (minBytes: number): Interceptor =>
  (options, nextCall) => {
    // One of each call's own; so is the context of each message, which grpc-js hands down by reference.
    const definition = options.method_definition;
    const { path, requestSerialize } = definition;
    const call = new InterceptingCall(nextCall(options));
    const sendMessageWithContext = call.sendMessageWithContext.bind(call);
    call.sendMessageWithContext = (context, message) => {
      definition.requestSerialize = (value) => {
        const bytes = requestSerialize(value);
        if (bytes.length < minBytes || !isCompressed(path)) context.flags = (context.flags ?? 0) | NO_COMPRESS;
        return bytes;
      };
      sendMessageWithContext(context, message);
    };
    return call;
  };
