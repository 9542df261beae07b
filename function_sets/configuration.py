"""Configuration. IEEE 2030.5-2018."""

from function_sets.model import DELETE, POST, PUT, Access, FunctionSet, Methods, Route, asc
from schemas import Configuration, PriceResponseCfg, PriceResponseCfgList

FUNCTION_SET = FunctionSet(
    name="Configuration",
    code="cfg",
    clause="schema",
    routes=(
        Route(
            id="Configuration",
            path="/edev/{id1}/cfg",
            type=Configuration,
            methods=Methods("MMMEE"),
            access=Access.OWNER,
            writes=PUT,
            accepts=(Configuration,),
        ),
        Route(
            id="PriceResponseCfgList",
            path="/edev/{id1}/cfg/prcfg",
            type=PriceResponseCfgList,
            methods=Methods("MMEME"),
            access=Access.OWNER,
            item=PriceResponseCfg,
            order=(asc("href"),),
            writes=POST,
            accepts=(PriceResponseCfg,),
        ),
        Route(
            id="PriceResponseCfg",
            path="/edev/{id1}/cfg/prcfg/{id2}",
            type=PriceResponseCfg,
            methods=Methods("MMMEM"),
            access=Access.OWNER,
            writes=PUT | DELETE,
            accepts=(PriceResponseCfg,),
        ),
    ),
)
