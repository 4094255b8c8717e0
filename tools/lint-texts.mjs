// Lints texts as if they stood in the named files: reads [{ file, text }] from standard input, writes the messages
// of each as JSON. One process for all of them, because loading the rules takes most of the time.
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
// The planted rules need no types, and reading types takes most of the time.
const eslint = new ESLint({
  overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }],
});
const reports = [];
for (const { file, text } of JSON.parse(Buffer.concat(chunks).toString('utf8'))) {
  const [report] = await eslint.lintText(text, { filePath: file });
  reports.push(report?.messages ?? []);
}
process.stdout.write(JSON.stringify(reports));
