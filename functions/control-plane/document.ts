import { describeInOpenapi } from '../../shared/openapi/index.ts';
import { supportApi } from '../support/schema.ts';
import { controlPlaneApi } from './schema.ts';

/** The OpenAPI document of the control plane. */
export function controlPlaneDocument() {
  return describeInOpenapi({
    title: 'Tenantry control plane',
    description: 'For operators: tenants, and what becomes of them.',
    apis: [controlPlaneApi, supportApi],
  });
}
