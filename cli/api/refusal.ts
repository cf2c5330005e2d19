import * as z from 'zod';
import { CommandError } from '../command-error.ts';
import { printable } from '../terminal/printable.ts';
import { program } from '../usage.ts';

const problemSchema = z.object({
  title: z.string(),
  code: z.string().default('unknown'),
  detail: z.string().optional(),
  instance: z.string().default('unknown'),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
});
type Problem = z.output<typeof problemSchema>;

/** The control plane has refused a request, or failed at it. */
export class RefusedError extends CommandError {
  override readonly name = 'RefusedError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * What the control plane said against a request: title, detail and code, and what to do.
 *
 * @param logs where to look if it said little
 */
export function refusal(status: number, body: unknown, logs: string): CommandError {
  const problem = problemSchema.safeParse(body).data;
  if (!problem) {
    // Whatever is behind a gateway may fail without a word; what refuses is something else.
    const remedy = status >= 500 ? `Look into ${logs}.` : 'Check the URL, with its stage, and what stands between.';
    const how = status >= 500 ? '' : ', and not as a control plane does';
    return new CommandError(`The control plane answered ${status}${how}. ${remedy}`);
  }
  const { title, code, detail, errors } = problem;
  const items = errors.map((item) => `  ${printable(item.pointer.replace(/^#\//, ''))}: ${printable(item.detail)}`);
  const what = `${printable(title)} [${printable(code)}]${items.length > 0 ? ':' : ''}`;
  const lines = items.length > 0 ? items : detail === undefined ? [] : [printable(detail)];
  const remedy = status >= 500 ? lookFor(problem, logs) : remedyOf(problem);
  return new RefusedError(code, [what, ...lines, ...(remedy === undefined ? [] : [remedy])].join('\n'));
}

const remedyOf = (problem: Problem): string | undefined =>
  Object.hasOwn(remedies, problem.code) ? remedies[problem.code]?.(problem) : undefined;

const lookFor = ({ instance }: Problem, logs: string): string =>
  `Ask again; if it stays like this, look into ${logs} for request ${printable(instance)}.`;

/** What to type next, where the detail does not say it. */
const remedies: Readonly<Record<string, (problem: Problem) => string>> = {
  'not-found': () => `"${program} list" shows the tenants there are, "${program} operations" the operations.`,
  'operation-in-progress': ({ detail = '' }) => {
    const [id] = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/.exec(detail) ?? ['<id>'];
    return `See how far it is: ${program} operations ${id} --wait`;
  },
  'migration-in-progress': () => `See how far it is: ${program} migrate --status, with the same --api.`,
  'idempotency-key-reused': () => 'Leave --idempotency-key out, and the request gets a key of its own.',
  'statement-refused': () => 'It takes one statement that only reads, such as a SELECT.',
  'signature-missing': () => 'Name the URL in the output ControlPlaneIamUrl by --api, with its stage.',
  'signature-invalid': () => 'Check the AWS credentials (AWS_PROFILE), --region, and the clock of this machine.',
  unauthorized: () => 'Is --data the folder of the stack that is running?',
};
