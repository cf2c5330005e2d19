import * as z from 'zod';
import { describePublicApi } from '../../shared/http/index.ts';

export const openapiApi = describePublicApi('openapi', {
  'GET /openapi.json': {
    summary: 'This document',
    response: z.looseObject({ openapi: z.string() }).meta({ description: 'An OpenAPI 3.1 document.' }),
  },
});
