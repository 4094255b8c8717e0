import { Controller, Get } from '@nestjs/common';
import { openApiDocument } from './openapi.js';

@Controller()
export class OpenApiController {
  private readonly document = openApiDocument();

  @Get('openapi.json')
  show(): object {
    return this.document;
  }
}
