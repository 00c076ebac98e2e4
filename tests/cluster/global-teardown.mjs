import { controlPlane } from './global-setup.mjs';

export default async function stop() {
  await controlPlane?.stop();
}
