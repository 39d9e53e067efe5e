from copstats.analyse.survey.api import estimate as estimate
from copstats.analyse.survey.design import Calibration as Calibration
from copstats.analyse.survey.design import Design as Design
from copstats.analyse.survey.design import ReplicateWeights as ReplicateWeights
from copstats.analyse.survey.imputation import combine_imputations as combine_imputations
from copstats.analyse.survey.result import Estimates as Estimates
from copstats.analyse.survey.sample import Sample as Sample

__version__: str
