// Lints texts as if they stood in the named files: reads [{ file, text }] from standard input, writes the messages
// of each as JSON. One process for all of them, because loading the rules takes most of the time.
import { ESLint } from 'eslint';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
// Few files: their own projects are read sooner than the program of all sources.
const eslint = new ESLint({
  overrideConfig: { languageOptions: { parserOptions: { project: null, projectService: true } } },
});
const reports = [];
for (const { file, text } of JSON.parse(Buffer.concat(chunks).toString('utf8'))) {
  const [report] = await eslint.lintText(text, { filePath: file });
  reports.push(report?.messages ?? []);
}
process.stdout.write(JSON.stringify(reports));
