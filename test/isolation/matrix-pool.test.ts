import { describeMatrix } from './matrix/describe-matrix.ts';

describeMatrix('pool');
