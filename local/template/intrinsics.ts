import { physicalAttribute, physicalReference } from './physical-values.ts';
import { membersOf } from '../untyped.ts';
import { conditionHolds } from './conditions.ts';
import { describe, type Resource, type Stack, TemplateError } from './stack.ts';

/** Where a value stands: its stack, and words for messages. */
export interface Place {
  readonly stack: Stack;
  readonly where: string;
}

type Intrinsic = (argument: unknown, place: Place) => unknown;

/** Evaluates the intrinsic functions of CloudFormation over a set of stacks, as a deployment of all of them would. */
export class Resolver {
  readonly #stacks: readonly Stack[];
  readonly #intrinsics: Readonly<Record<string, Intrinsic>>;

  constructor(stacks: readonly Stack[]) {
    this.#stacks = stacks;
    this.#intrinsics = {
      Ref: (name, place) => this.#ref(String(name), place),
      'Fn::GetAtt': (argument, place) => this.#getAtt(argument, place),
      'Fn::Join': (argument, place) => this.#join(argument, place),
      'Fn::Sub': (argument, place) => this.#sub(argument, place),
      'Fn::Select': (argument, place) => this.#select(argument, place),
      'Fn::Split': (argument, place) => this.#split(argument, place),
      'Fn::ImportValue': (name, place) => this.#importValue(this.text(name, place), place),
      'Fn::GetStackOutput': (argument, place) => this.#stackOutput(argument, place),
      'Fn::FindInMap': (argument, place) => this.#findInMap(argument, place),
      'Fn::If': (argument, place) => this.#if(argument, place),
      'Fn::Base64': (value, place) => Buffer.from(this.text(value, place)).toString('base64'),
    };
  }

  /**
   * `value` without intrinsic functions. Properties that resolve to AWS::NoValue are left out.
   *
   * @throws TemplateError for a function, resource type or attribute that has no local counterpart.
   */
  resolve(value: unknown, place: Place): unknown {
    if (Array.isArray(value))
      return value.map((item) => this.resolve(item, place)).filter((item) => item !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (entries.length === 1 && only && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      const intrinsic = this.#intrinsics[only[0]];
      if (!intrinsic) throw this.#error(place, `the function ${only[0]} is not known to the local stack`);
      return intrinsic(only[1], place);
    }
    return Object.fromEntries(
      entries
        .map(([key, item]) => [key, this.resolve(item, { ...place, where: `${place.where}.${key}` })])
        .filter(([, item]) => item !== undefined),
    );
  }

  /** Like `resolve`, for what must be a text. */
  text(value: unknown, place: Place): string {
    const resolved = this.resolve(value, place);
    if (typeof resolved === 'string' || typeof resolved === 'number' || typeof resolved === 'boolean') {
      return String(resolved);
    }
    throw this.#error(place, `a text is needed, not ${JSON.stringify(resolved)}`);
  }

  /** Whether the resource is part of the deployment: it has no condition or its condition holds. */
  exists(resource: Resource): boolean {
    if (resource.condition === undefined) return true;
    return conditionHolds(resource.condition, { stack: resource.stack, where: describe(resource) }, this);
  }

  /** What `Ref` gives for a resource. */
  reference(resource: Resource): string {
    return physicalReference(resource, this.#valueOf(resource));
  }

  attribute(resource: Resource, name: string): string {
    return physicalAttribute(resource, name, this.#valueOf(resource));
  }

  #valueOf(resource: Resource): (property: string) => string | undefined {
    return (property) => {
      const value = resource.properties[property];
      const place = { stack: resource.stack, where: `${describe(resource)}.${property}` };
      return value === undefined ? undefined : this.text(value, place);
    };
  }

  #ref(name: string, place: Place): unknown {
    const { stack } = place;
    const pseudo: Record<string, unknown> = {
      'AWS::AccountId': stack.account,
      'AWS::Region': stack.region,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stack.name,
      'AWS::StackId': `arn:aws:cloudformation:${stack.region}:${stack.account}:stack/${stack.name}/local`,
      'AWS::NoValue': undefined,
    };
    if (name in pseudo) return pseudo[name];
    const resource = stack.resources.get(name);
    if (resource) return this.reference(resource);
    const parameter = stack.template.Parameters[name];
    if (parameter?.Default === undefined || parameter.Type.startsWith('AWS::SSM')) {
      throw this.#error(place, `Ref names ${name}, which is neither a resource nor a parameter with a default`);
    }
    return parameter.Default;
  }

  #getAtt(argument: unknown, place: Place): string {
    const parts = Array.isArray(argument) ? argument : String(argument).split('.');
    const [logicalId, ...attribute] = parts.map((part) => this.text(part, place));
    const resource = place.stack.resources.get(logicalId ?? '');
    if (!resource) throw this.#error(place, `Fn::GetAtt names ${String(logicalId)}, which is not in the stack`);
    return this.attribute(resource, attribute.join('.'));
  }

  #join(argument: unknown, place: Place): string {
    const [separator, items] = this.#list(argument, place);
    return this.#list(items, place)
      .map((item) => this.text(item, place))
      .join(String(separator));
  }

  #sub(argument: unknown, place: Place): string {
    const parts: readonly unknown[] = Array.isArray(argument) ? argument : [argument, {}];
    const [text, variables] = parts;
    const values = membersOf(this.resolve(variables, place));
    return String(text).replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) => {
      if (name.startsWith('!')) return whole.replace('!', '');
      if (values.has(name)) return this.text(values.get(name), place);
      return name.includes('.') && !name.includes('::') ? this.#getAtt(name, place) : this.text({ Ref: name }, place);
    });
  }

  #select(argument: unknown, place: Place): unknown {
    const [index, items] = this.#list(argument, place);
    const list = this.#list(this.resolve(items, place), place);
    const at = Number(this.text(index, place));
    if (!(at in list)) throw this.#error(place, `Fn::Select asks for item ${at} of ${list.length}`);
    return list[at];
  }

  #split(argument: unknown, place: Place): string[] {
    const [separator, text] = this.#list(argument, place);
    return this.text(text, place).split(String(separator));
  }

  #importValue(name: string, place: Place): unknown {
    for (const stack of this.#stacks) {
      for (const [output, { Value, Export }] of Object.entries(stack.template.Outputs)) {
        const source = { stack, where: `output ${stack.name}.${output}` };
        if (Export && this.text(Export.Name, source) === name) return this.resolve(Value, source);
      }
    }
    throw this.#error(place, `no stack exports ${name}`);
  }

  #stackOutput(argument: unknown, place: Place): unknown {
    const named = membersOf(argument);
    const stackName = this.text(named.get('StackName'), place);
    const outputName = this.text(named.get('OutputName'), place);
    const stack = this.#stacks.find(({ name }) => name === stackName);
    const output = stack?.template.Outputs[outputName];
    if (!stack || !output) throw this.#error(place, `no stack has the output ${stackName}.${outputName}`);
    return this.resolve(output.Value, { stack, where: `output ${stackName}.${outputName}` });
  }

  #findInMap(argument: unknown, place: Place): unknown {
    const [map = '', first = '', second = ''] = this.#list(argument, place).map((part) => this.text(part, place));
    const value = place.stack.template.Mappings[map]?.[first]?.[second];
    if (value === undefined) throw this.#error(place, `the mapping ${map} has no ${first}.${second}`);
    return value;
  }

  #if(argument: unknown, place: Place): unknown {
    const [condition, whenTrue, whenFalse] = this.#list(argument, place);
    return this.resolve(conditionHolds(String(condition), place, this) ? whenTrue : whenFalse, place);
  }

  #list(value: unknown, place: Place): readonly unknown[] {
    const list: unknown = Array.isArray(value) ? value : this.resolve(value, place);
    if (Array.isArray(list)) return list;
    throw this.#error(place, `a list is needed, not ${JSON.stringify(value)}`);
  }

  #error(place: Place, problem: string): TemplateError {
    return new TemplateError(`${place.where}: ${problem}.`);
  }
}
