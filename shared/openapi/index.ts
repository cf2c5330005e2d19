export { describeInOpenapi } from './document.ts';
