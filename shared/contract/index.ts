export * from './authorizer.ts';
export * from './cache.ts';
export * from './database.ts';
export * from './environment.ts';
export * from './identity.ts';
export * from './metrics.ts';
export * from './plans.ts';
export * from './routes.ts';
