import { Aspects, Duration } from 'aws-cdk-lib';
import { CfnMethod, type CorsOptions, type RestApi } from 'aws-cdk-lib/aws-apigateway';

/** What a browser may send from these origins. */
export function preflightOptions(allowOrigins: string[]): CorsOptions {
  return {
    allowOrigins,
    allowMethods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'X-Tenant-ID'],
    maxAge: Duration.hours(1),
  };
}

/**
 * Lets API Gateway answer preflights although JSON is binary to it. A preflight has no content type, for which API Gateway assumes JSON,
 * and the templates of its mock integration take text only: without a conversion it answers 500.
 */
export function readPreflightsAsText(restApi: RestApi): void {
  Aspects.of(restApi).add({
    visit: (node) => {
      if (!(node instanceof CfnMethod) || node.httpMethod !== 'OPTIONS') return;
      node.addPropertyOverride('Integration.ContentHandling', 'CONVERT_TO_TEXT');
      node.addPropertyOverride('Integration.IntegrationResponses.0.ContentHandling', 'CONVERT_TO_TEXT');
    },
  });
}
