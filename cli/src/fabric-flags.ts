/** A command line of ours that does what Fabric's flag does; `[value]` is put after it. */
const commandsOf: Readonly<Record<string, readonly string[]>> = {
  '-l': ['patterns', '--names'],
  '--listpatterns': ['patterns', '--names'],
  '-L': ['models'],
  '--listmodels': ['models'],
  '--listvendors': ['providers'],
  '-x': ['contexts', '--names'],
  '--listcontexts': ['contexts', '--names'],
  '-X': ['sessions', '--names'],
  '--listsessions': ['sessions', '--names'],
  '--liststrategies': ['strategies'],
  '-n': ['patterns', '--latest'],
  '--latest': ['patterns', '--latest'],
  '--readpattern': ['show', '--text'],
  '--printcontext': ['contexts show'],
  '--printsession': ['sessions show'],
  '-w': ['contexts rm'],
  '--wipecontext': ['contexts rm'],
  '-W': ['sessions rm'],
  '--wipesession': ['sessions rm'],
  '--serve': ['serve'],
};

/** The command for Fabric's flags that are no run; undefined when the arguments are one. */
export function fabricCommand(args: readonly string[]): readonly string[] | undefined {
  const [, flag = '', value] = /^(-[a-zA-Z]|--[a-z]+)(?:=(.*))?$/s.exec(args[0] ?? '') ?? [];
  const command = commandsOf[flag];
  return command && [...command, ...(value === undefined ? [] : [value]), ...args.slice(1)];
}

const fetchIt = 'Damask reads no addresses. Fetch it with a program of your choice and pipe the text:';

/** What is done instead of flags of Fabric's that Damask does not have. */
const insteadOf: Readonly<Record<string, string>> = {
  '-u': `${fetchIt} curl -sL <address> | damask run summarize`,
  '--scrape_url': `${fetchIt} curl -sL <address> | damask run summarize`,
  '-q': `${fetchIt} curl -sL <address> | damask run summarize`,
  '--scrape_question': `${fetchIt} curl -sL <address> | damask run summarize`,
  '-y': `${fetchIt} yt-dlp writes subtitles to a file.`,
  '--youtube': `${fetchIt} yt-dlp writes subtitles to a file.`,
  '--transcript': `${fetchIt} yt-dlp writes subtitles to a file.`,
  '--comments': `${fetchIt} yt-dlp writes comments to a file.`,
  '--playlist': `${fetchIt} yt-dlp writes subtitles to files.`,
  '--readability': 'Damask takes the text as it is. Turn the page into text first: pandoc -f html -t markdown',
  '-r': 'Damask has no raw mode: parameters that neither you nor the pattern set are never sent, so leave -r out.',
  '--raw': 'Damask has no raw mode: parameters that neither you nor the pattern set are never sent, so leave it out.',
  '-U': 'Patterns come in with: damask import https://github.com/danielmiessler/fabric',
  '--updatepatterns': 'Patterns come in with: damask import https://github.com/danielmiessler/fabric',
  '-S': 'There is nothing to set up here: `damask doctor` shows what is missing. Keys of vendors belong to the server.',
  '--setup':
    'There is nothing to set up here: `damask doctor` shows what is missing. Keys of vendors belong to the server.',
  '-d': 'The default model belongs to the server: DAMASK_MODEL. A pattern can name its own in pattern.yaml.',
  '--changeDefaultModel':
    'The default model belongs to the server: DAMASK_MODEL. A pattern can name its own in pattern.yaml.',
  '--input-has-vars':
    'Damask never reads an input as a template, so that no text can run what it holds. Use -v name=value.',
  '--no-variable-replacement': 'Tokens that shall stay as they are belong into literal_tokens of the pattern.yaml.',
  '--output-session': 'A session is printed with: damask sessions show <session>',
  '--modelContextLength': 'The context of a model belongs to its provider, not to a run.',
  '--config': 'There is no file of defaults: a pattern keeps its model and parameters in pattern.yaml.',
  '--search': 'Damask does not let a model search the web. Put what it should know into the input or a context.',
  '--search-location': 'Damask does not let a model search the web.',
  '--suppress-think': 'Reasoning never stands in the answer here, so leave it out.',
  '--image-file': 'Damask makes no images. -a attaches one to the input.',
  '--transcribe-file': 'Damask hears no sound. Transcribe it first, for example with whisper, and pipe the text.',
  '--notification': 'Put a command of your own behind it: damask run summarize < mail.txt; notify-send done',
  '--serveOllama': 'The server offers its interface with `damask serve`.',
  '--address': 'The server listens where DAMASK_HOST and DAMASK_PORT say.',
  '--api-key': 'Keys are made with: damask keys create --name ci --role runner',
  '--addextension': 'Patterns run no programs here. Make the text with one and pipe it in.',
  '--listextensions': 'Patterns run no programs here.',
  '--rmextension': 'Patterns run no programs here.',
  '--debug': 'What happened to a run shows: damask runs show last',
  '--shell-complete-list': 'Completion comes with: damask completion bash|zsh|fish',
};

/** What to do instead of a flag that only Fabric has; undefined for every other. */
export function insteadOfFabric(flag: string): string | undefined {
  const sentence = Object.hasOwn(insteadOf, flag) ? insteadOf[flag] : undefined;
  return sentence && `Fabric's ${flag} is not here. ${sentence}`;
}

/** Each of Fabric's flags that becomes another command, for the guide's test. */
export const fabricCommands = Object.keys(commandsOf);
export const fabricInstead = Object.keys(insteadOf);
