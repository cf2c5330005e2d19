import { testKilledOperations } from '../helpers/operations/killed-operations.ts';
import { scenariosOf } from '../helpers/operations/scenarios.ts';

testKilledOperations(scenariosOf('exports'));
