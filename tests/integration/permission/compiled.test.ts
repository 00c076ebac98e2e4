import { openInProcess } from './in-process.js';
import { describePermission } from './suite.js';

describePermission('compiled documents', () => openInProcess({ compileAt: 1 }));
