"""Messaging. IEEE 2030.5-2018, 10.6."""

from function_sets.model import Access, FunctionSet, Methods, Route, desc
from schemas import MessagingProgram, MessagingProgramList, TextMessage, TextMessageList

FUNCTION_SET = FunctionSet(
    name="Messaging",
    code="msg",
    clause="10.6",
    routes=(
        Route(
            id="MessagingProgramList",
            path="/msg",
            type=MessagingProgramList,
            methods=Methods("MMEDE"),
            access=Access.ASSIGNED,
            item=MessagingProgram,
            order=(desc("mRID"),),
            accepts=(MessagingProgram,),
        ),
        Route(
            id="MessagingProgram",
            path="/msg/{id1}",
            type=MessagingProgram,
            methods=Methods("MMEED"),
            access=Access.ASSIGNED,
        ),
        Route(
            id="ActiveTextMessageList",
            path="/msg/{id1}/acttxt",
            type=TextMessageList,
            methods=Methods("MMEEE"),
            access=Access.ASSIGNED,
            item=TextMessage,
            order=(
                desc("interval.start"),
                desc("creationTime"),
                desc("mRID"),
            ),
            after="interval.start",
            view_of="TextMessageList",
        ),
        Route(
            id="TextMessageList",
            path="/msg/{id1}/txt",
            type=TextMessageList,
            methods=Methods("MMEDE"),
            access=Access.ASSIGNED,
            item=TextMessage,
            order=(
                desc("interval.start"),
                desc("creationTime"),
                desc("mRID"),
            ),
            after="interval.start",
            accepts=(TextMessage,),
        ),
        Route(
            id="TextMessage",
            path="/msg/{id1}/txt/{id2}",
            type=TextMessage,
            methods=Methods("MMEED"),
            access=Access.ASSIGNED,
        ),
    ),
)
