import { Controller, Get, type Type } from '@nestjs/common';
import { Allow } from '../access/access.guard.js';

/** Shows the document of a service's HTTP API at `/openapi.json`, to whoever may read. It is made once. */
export function openApiController(documentOf: () => object): Type {
  @Allow('read')
  @Controller()
  class OpenApiController {
    private readonly document = documentOf();

    @Get('openapi.json')
    show(): object {
      return this.document;
    }
  }
  return OpenApiController;
}
