import { openServed } from './served.js';
import { describePermission } from './suite.js';

describePermission('GET', () => openServed('GET'));
