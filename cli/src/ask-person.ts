import { Interrupted } from './interrupted.ts';
import type { Terminal } from './terminal.ts';

/** Asks a person on the terminal and resolves to the line. Ctrl-C and Ctrl-D give up. A secret is not shown. */
export async function askPerson(terminal: Terminal, question: string, secret = false): Promise<string> {
  const { stdin } = process;
  // Before the question: what is typed in answer to it must find a terminal that shows nothing by itself.
  stdin.setRawMode(true);
  terminal.prompt(`${question} `);
  stdin.setEncoding('utf8').resume();
  try {
    let line = '';
    for (;;) {
      const typed = await new Promise<string>((resolve) => stdin.once('data', (text) => resolve(String(text))));
      for (const character of typed) {
        if (character === '\r' || character === '\n') return line.trim();
        if (character === '\x03' || (character === '\x04' && line === '')) throw new Interrupted(130, false);
        const before = line;
        if (character === '\x7f' || character === '\b') line = line.slice(0, -1);
        else if (character === '\x15') line = '';
        else if (!/\p{Cc}/u.test(character)) line += character;
        if (!secret)
          terminal.prompt(line.length > before.length ? character : '\b \b'.repeat(before.length - line.length));
      }
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    terminal.prompt('\n');
  }
}
