import { runService } from '@twinkey/service';
import { scheduler } from './scheduler.js';

await runService(scheduler);
