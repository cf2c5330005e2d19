import { publicApi } from '../../shared/middleware/index.ts';
import { openapiDocument } from './document.ts';
import { openapiApi } from './schema.ts';

const document = { ...openapiDocument() };

export const handler = publicApi(openapiApi, {
  'GET /openapi.json': () => document,
});
