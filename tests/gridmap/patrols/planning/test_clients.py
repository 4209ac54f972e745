from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyvrp

from gridmap.patrols.planning import Problem, Stop, Travel, Window
from gridmap.patrols.planning.assembling import assemble
from gridmap.patrols.planning.clients import Clients
from gridmap.patrols.planning.local_search import local_search
from gridmap.patrols.planning.stop import Budget


def test_each_direction_in_each_window_is_a_client_of_one_group(block: Problem) -> None:
    hours = (Window(30_000, 31_000), Window(40_000, 41_000))
    street = replace(block.tasks[1], windows=hours)
    data = Clients(replace(block, tasks=(block.tasks[0], street)), range(2), complete=True).data
    assert data.num_clients == 5
    assert [group.clients for group in data.groups()] == [[1, 2, 3, 4]]
    assert [client.tw_early for client in data.clients()[1:]] == [30_000, 40_000, 30_000, 40_000]


def test_orders_come_back_as_they_went_in(block: Problem) -> None:
    clients = Clients(block, range(3), complete=True)
    orders = (((0, 0), (2, 0), (1, 1)),)
    solution = clients.solution(orders, {0: 9 * 3600, 1: 0, 2: 0})
    assert clients.orders(solution) == orders
    assert solution.is_feasible()


def test_nobody_goes_where_there_is_no_way(block: Problem) -> None:
    seconds = block.travel[0].seconds.astype(float)
    seconds[0, 1] = np.inf
    one = replace(block, travel=(Travel(seconds, block.travel[0].metres),), tasks=block.tasks[:1])
    data = Clients(one, [0], complete=True).data
    assert not pyvrp.Solution(data, [[0]]).is_feasible()


def test_local_search_finds_the_round(block: Problem) -> None:
    free = replace(block, workers=(replace(block.workers[0], pause=None),))
    orders = local_search(
        free, range(3), Budget(Stop(iterations=100)), share=1, seed=1, start=None, complete=True
    )
    assert assemble(free, orders, {}).rank == (0, 900)
