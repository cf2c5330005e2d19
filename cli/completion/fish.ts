import { type CompletedCommand, quoted } from './words.ts';

/** The same for fish, a line for everything that can be typed. */
export function fishScript(commands: readonly CompletedCommand[], ask: string): string {
  const options = commands.flatMap((command) => command.options);
  const taking = new Set(options.flatMap(({ flag, values }) => (values === undefined ? [] : [flag])));
  return `# Completes "tenant" in fish: tenant completion fish | source
function __tenant_ids
    ${ask} (commandline -opc)[3..-1] 2>/dev/null
end
# Whether the next of the words without an option is the so manieth of a command.
function __tenant_at
    set -l words
    set -l is_value no
    for word in (commandline -opc)[2..-1]
        if test $is_value = yes
            set is_value no
        else if contains -- $word ${[...taking].join(' ')}
            set is_value yes
        else if not string match -q -- '-*' $word
            set -a words $word
        end
    end
    test (count $words) -eq $argv[2]; and test $words[1] = $argv[1]
end
complete -c tenant -f
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ name, summary, options, positionals }: CompletedCommand): string[] {
  const first = `complete -c tenant -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`;
  const within = `complete -c tenant -n '__fish_seen_subcommand_from ${name}'`;
  const flags = options.map(({ flag, help, values }) => {
    const value =
      values === undefined
        ? ''
        : values === 'files'
          ? ' -r -F'
          : values === 'anything'
            ? ' -x'
            : ` -x -a ${quoted(values.join(' '))}`;
    return `${within} -l ${flag.slice(2)} -d ${quoted(help)}${value}`;
  });
  const words = positionals.flatMap((of, at) => {
    if (of === 'anything') return [];
    const proposed = of === 'tenants' ? '(__tenant_ids)' : of.join(' ');
    return [`complete -c tenant -n '__tenant_at ${name} ${at + 1}' -a ${quoted(proposed)}`];
  });
  return [first, ...flags, ...words];
}
