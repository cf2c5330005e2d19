import { type CompletedCommand, quoted } from './words.ts';

/**
 * A script for bash, for a command called `tenant`, which may be an alias.
 *
 * @param ask prints ids of tenants, one a line; gets what was typed until then as arguments
 */
export function bashScript(commands: readonly CompletedCommand[], ask: string): string {
  return `# Completes "tenant" in bash: eval "$(tenant completion bash)"
_tenant_ids() { ${ask} "$@" 2>/dev/null; }

_tenant() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  local options='' values='' takes_value='' positionals=() at=-1 index word words=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name).join(' '))} -- "$current"))
    return
  fi
  case "$command" in
${commands.map(caseOf).join('\n')}
  esac
  case "$command $previous" in
${commands.flatMap(valueCasesOf).join('\n')}
  esac
  # Which of the things without a name it is.
  for ((index = 2; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ " $takes_value " == *" \${COMP_WORDS[index - 1]} "* ]]; then continue; fi
    if [[ "$word" != -* ]]; then ((at++)); fi
  done
  if [[ "$current" == -* ]]; then words=$options
  elif ((at >= 0)) && [[ "\${positionals[at]}" == '@tenants' ]]; then words=$(_tenant_ids "\${COMP_WORDS[@]:2}")
  elif ((at >= 0)); then words=\${positionals[at]}; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _tenant tenant
`;
}

function caseOf({ name, options, positionals }: CompletedCommand): string {
  const flags = options.map(({ flag }) => flag).join(' ');
  const taking = options.flatMap(({ flag, values }) => (values === undefined ? [] : [flag])).join(' ');
  const words = positionals.map((of) =>
    quoted(typeof of === 'object' ? of.join(' ') : of === 'tenants' ? '@tenants' : ''),
  );
  return `    ${name}) options=${quoted(`${flags} --help`)} takes_value=${quoted(taking)} positionals=(${words.join(' ')}) ;;`;
}

function valueCasesOf({ name, options }: CompletedCommand): string[] {
  return options.flatMap(({ flag, values }) => {
    if (values === undefined) return [];
    const replies =
      values === 'files'
        ? '$(compgen -d -- "$current")'
        : `$(compgen -W ${quoted(values === 'anything' ? '' : values.join(' '))} -- "$current")`;
    return [`    ${quoted(`${name} ${flag}`)}) COMPREPLY=(${replies}); return ;;`];
  });
}
