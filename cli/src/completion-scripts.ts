export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What the shell has to read once: it asks `damask completion --words` whenever somebody presses Tab. */
export const completionScripts: Readonly<Record<Shell, string>> = {
  // Without arrays from below, and for bash 3.2 too, which is what macOS has.
  bash: `# Completion of damask for bash. In ~/.bashrc: eval "$(damask completion bash)"
_damask() {
  local line="\${COMP_LINE:0:COMP_POINT}" words cur cut i
  read -ra words <<< "$line"
  if [[ "$line" == *[[:space:]] ]]; then words+=(""); fi
  cur="\${words[\${#words[@]}-1]}"
  COMPREPLY=()
  local candidates
  candidates="$(command damask completion --words -- "\${words[@]:1}" 2>/dev/null)" || return 0
  if [[ "$candidates" == ":files" ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
    return 0
  fi
  # The shell itself splits words at : and =, and puts in only what follows them.
  cut="\${cur%"\${cur##*[:=]}"}"
  while IFS=$'\\t' read -r i _; do
    if [[ -n "$i" && "$i" == "$cur"* ]]; then COMPREPLY+=("\${i#"$cut"}"); fi
  done <<< "$candidates"
}
complete -F _damask damask
`,
  zsh: `#compdef damask
# Completion of damask for zsh. In ~/.zshrc, after compinit: eval "$(damask completion zsh)"
_damask() {
  local -a lines described
  local line
  lines=("\${(@f)$(command damask completion --words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${lines[1]}" == ":files" ]]; then
    _files
    return
  fi
  for line in "\${lines[@]}"; do
    [[ -n "$line" ]] || continue
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( \${#described} )) && _describe damask described
}
compdef _damask damask
`,
  fish: `# Completion of damask for fish. In ~/.config/fish/config.fish: damask completion fish | source
function __damask_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines (command damask completion --words -- $words[2..-1] 2>/dev/null)
    if test "$lines[1]" = ":files"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $lines
    end
end
complete -c damask -f -a '(__damask_complete)'
`,
};
