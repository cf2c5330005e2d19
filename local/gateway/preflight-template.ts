/** The header that the CDK's template for preflights of several origins sets to the one that asks. */
const header = 'Access-Control-Allow-Origin';

/**
 * The one mapping template (VTL) that is understood here: what the CDK writes for a preflight where several origins are allowed. The
 * response's own header names the first of them; the template names another instead if that is the one that asks.
 */
const pattern = new RegExp(
  [
    String.raw`^#set\(\$origin = \$input\.params\(\)\.header\.get\("Origin"\)\)`,
    String.raw`#if\(\$origin == ""\)`,
    String.raw`#set\(\$origin = \$input\.params\(\)\.header\.get\("origin"\)\)`,
    String.raw`#end`,
    String.raw`#if\((?<condition>\$origin == "[^"]*"(?: \|\| \$origin == "[^"]*")*)\)`,
    String.raw`#set\(\$context\.responseOverride\.header\.${header} = \$origin\)`,
    String.raw`#end$`,
  ].join(String.raw`\s+`),
);

export const isPreflightTemplate = (template: string): boolean => pattern.test(template);

/** Headers that the template sets for a request of `origin`; undefined where it is another template. */
export function preflightHeaders(template: string, origin: string | undefined): Record<string, string> | undefined {
  const condition = pattern.exec(template)?.groups?.condition;
  if (condition === undefined) return undefined;
  const origins = [...condition.matchAll(/"([^"]*)"/g)].map(([, name]) => name);
  return origin !== undefined && origins.includes(origin) ? { [header]: origin } : {};
}
