import { openInProcess } from './in-process.js';
import { describeGovernanceOfTheGraph, describePermission } from './suite.js';

describeGovernanceOfTheGraph();
describePermission('interpreted documents', () => openInProcess({ compileAt: Number.POSITIVE_INFINITY }));
