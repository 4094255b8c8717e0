import { Controller, Get } from '@nestjs/common';
import { Allow } from '@twinkey/service';
import { openApiDocument } from './openapi.js';

@Allow('read')
@Controller()
export class OpenApiController {
  private readonly document = openApiDocument();

  @Get('openapi.json')
  show(): object {
    return this.document;
  }
}
