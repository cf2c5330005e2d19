export { answerOnce } from './answer-once.ts';
export { idempotencyHeader, idempotencyKeyOf } from './idempotency-key.ts';
