import { testCorners } from './corner-suite.ts';

testCorners(1);
