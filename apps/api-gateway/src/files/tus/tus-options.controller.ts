import { Controller, HttpCode, Options, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { TUS_CHECKSUMS, TUS_EXTENSIONS, TUS_PATH, TUS_VERSION } from './tus-headers';

/** What this server can of tus. Open to everyone: clients ask before they have a token. */
@ApiTags('files')
@Controller(TUS_PATH)
export class TusOptionsController {
  @Options()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Ask what of tus is spoken',
    description: 'The answer is in `Tus-Version`, `Tus-Extension` and `Tus-Checksum-Algorithm`.',
  })
  @ApiResponse({ status: 204, description: 'What is spoken.' })
  readOptions(@Res({ passthrough: true }) reply: FastifyReply): void {
    void reply.headers({ 'tus-version': TUS_VERSION, 'tus-extension': TUS_EXTENSIONS, 'tus-checksum-algorithm': TUS_CHECKSUMS });
  }

  @Options(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Ask what of tus is spoken, at an upload', description: 'As without an upload.' })
  @ApiResponse({ status: 204, description: 'What is spoken.' })
  readOptionsOfUpload(@Res({ passthrough: true }) reply: FastifyReply): void {
    this.readOptions(reply);
  }
}
