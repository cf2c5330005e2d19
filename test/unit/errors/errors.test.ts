import { expect, test } from 'vitest';
import { AppError, errorCatalogue, problemDetails } from '../../../shared/errors/index.ts';

test('Below 500 the client is told what happened, with the values at fault', () => {
  const errors = [{ pointer: '#/body/name', detail: 'Required.' }];
  const error = new AppError('validation-failed', 'One value is not valid.', { errors });
  expect(problemDetails(error, 'request-1')).toEqual({
    type: 'urn:tenantry:error:validation-failed',
    title: errorCatalogue['validation-failed'].title,
    status: 400,
    code: 'validation-failed',
    detail: 'One value is not valid.',
    instance: 'request-1',
    errors,
  });
});

test('From 500 upwards the client is not told what broke inside', () => {
  const error = new AppError('internal', 'password authentication failed for user tenantry_app', {
    cause: new Error('x'),
  });
  expect(problemDetails(error, 'request-1')).toEqual({
    type: 'urn:tenantry:error:internal',
    title: 'Internal error',
    status: 500,
    code: 'internal',
    instance: 'request-1',
  });
});

test('Codes are kebab-case, titles are sentences without a full stop, and statuses are errors', () => {
  for (const [code, { status, title }] of Object.entries(errorCatalogue)) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
  }
});
