import { drawAll } from './draw-charts.ts';

drawAll();
