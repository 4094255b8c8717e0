import { runService } from '@twinkey/service';
import { rotator } from './rotator.js';

await runService(rotator);
