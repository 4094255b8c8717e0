import 'reflect-metadata';
import { runService } from '@twinkey/service';
import { notifier } from './notifier.js';

await runService(notifier);
