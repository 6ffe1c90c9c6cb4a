export {arrange} from './map/layout.ts';
