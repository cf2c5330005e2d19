import { membersOf } from '../untyped.ts';
import type { Place, Resolver } from './intrinsics.ts';
import { TemplateError } from './stack.ts';

/** Whether a condition of a stack holds. @throws TemplateError if there is none of that name */
export function conditionHolds(name: string, place: Place, resolver: Resolver): boolean {
  const expression = place.stack.template.Conditions[name];
  if (expression === undefined) throw new TemplateError(`${place.where}: there is no condition ${name}.`);
  return holds(expression, place, resolver);
}

function holds(expression: unknown, place: Place, resolver: Resolver): boolean {
  const [[operator, operand] = ['', undefined]] = [...membersOf(expression)];
  if (operator === 'Condition') return conditionHolds(String(operand), place, resolver);
  const operands: readonly unknown[] = Array.isArray(operand) ? operand : [];
  const [first, second] = operands;
  if (operator === 'Fn::Not') return !holds(first, place, resolver);
  if (operator === 'Fn::And') return operands.every((item) => holds(item, place, resolver));
  if (operator === 'Fn::Or') return operands.some((item) => holds(item, place, resolver));
  if (operator === 'Fn::Equals') return resolver.text(first, place) === resolver.text(second, place);
  throw new TemplateError(`${place.where}: the condition function ${operator} is not known to the local stack.`);
}
