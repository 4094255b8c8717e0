import { runService } from '@twinkey/service';
import { consoleService } from './console.service.js';

await runService(consoleService);
