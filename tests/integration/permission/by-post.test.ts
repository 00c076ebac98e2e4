import { openServed } from './served.js';
import { describePermission } from './suite.js';

describePermission('POST', () => openServed('POST'));
