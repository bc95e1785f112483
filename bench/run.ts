import { measureRunPath } from './run-path.ts';

const say = (text: string) => console.error(`[bench] ${text}`);
console.log(await measureRunPath(say));
