"""Subscription and Notification. IEEE 2030.5-2018."""

from function_sets.model import DELETE, POST, PUT, Access, FunctionSet, Methods, Route, asc
from schemas import Notification, NotificationList, Subscription, SubscriptionList

FUNCTION_SET = FunctionSet(
    name="Subscription and Notification",
    code="sub",
    clause="schema",
    routes=(
        Route(
            id="SubscriptionList",
            path="/edev/{id1}/sub",
            type=SubscriptionList,
            methods=Methods("MMEME"),
            access=Access.OWNER,
            item=Subscription,
            order=(asc("href"),),
            writes=POST,
            accepts=(Subscription,),
        ),
        Route(
            id="Subscription",
            path="/edev/{id1}/sub/{id2}",
            type=Subscription,
            methods=Methods("MMMEM"),
            access=Access.OWNER,
            writes=PUT | DELETE,
            accepts=(Subscription,),
        ),
        Route(
            id="NotificationList",
            path="/ntfy",
            type=NotificationList,
            methods=Methods("DDEME"),
            access=Access.OPERATOR,
            item=Notification,
            order=(asc("href"),),
            accepts=(Notification,),
        ),
        Route(
            id="Notification",
            path="/ntfy/{id1}",
            type=Notification,
            methods=Methods("DDEEE"),
            access=Access.OPERATOR,
        ),
    ),
)
