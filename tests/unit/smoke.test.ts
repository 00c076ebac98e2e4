import { GatewayError } from '../../src/errors.js';
it('runs TypeScript', () => { expect(new GatewayError('INTERNAL', 'x').code).toBe('INTERNAL'); });
