export { AppError, type AppErrorOptions, type ErrorItem } from './app-error.ts';
export { type ErrorCode, errorCatalogue } from './catalogue.ts';
export { problemDetails } from './problem-details.ts';
