import { type CompletedCommand, quoted } from './words.ts';

/** The same for zsh, whose own functions find out which argument it is. */
export function zshScript(commands: readonly CompletedCommand[], ask: string): string {
  const described = commands.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(':', String.raw`\:`)}`));
  return `#compdef tenant
# Completes "tenant" in zsh: eval "$(tenant completion zsh)"
_tenant_ids() {
  local -a ids
  ids=(\${(f)"$(${ask} "\${(@)words[2,-1]}" 2>/dev/null)"})
  compadd -a ids
}

_tenant() {
  local -a commands
  commands=(${described.join(' ')})
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${commands.map(caseOf).join('\n')}
  esac
}
compdef _tenant tenant
`;
}

function caseOf({ name, options, positionals }: CompletedCommand): string {
  const flags = options.map(({ flag, help, values }) => {
    const text = `${flag}[${help.replaceAll(/[[\]:]/g, String.raw`\$&`)}]`;
    return quoted(values === undefined ? text : `${text}:value:${actionOf(values)}`);
  });
  const words = positionals.map((of, at) => quoted(`${at + 1}:argument:${actionOf(of)}`));
  return `    ${name}) _arguments ${[...flags, quoted('--help[what there is to know]'), ...words].join(' ')} ;;`;
}

function actionOf(values: readonly string[] | 'files' | 'tenants' | 'anything'): string {
  if (typeof values === 'object') return `(${values.join(' ')})`;
  return { files: '_files -/', tenants: '_tenant_ids', anything: '' }[values];
}
