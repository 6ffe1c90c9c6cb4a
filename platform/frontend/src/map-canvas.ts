export {mount} from './map/canvas.tsx';
