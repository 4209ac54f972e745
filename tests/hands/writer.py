"""One writer, as a process of its own: what it is told to do on its standard input, what came of it out."""

from __future__ import annotations

import json
import random
import sys
import uuid
from typing import Any

import requests


class Writer:
    """Somebody signed in, with a list of problems."""

    def __init__(self, who: dict[str, Any], name: str, problems: list[str], seed: int) -> None:
        self.http = requests.Session()
        self.http.cookies.update(who["cookies"])
        self.http.headers["X-CSRFToken"] = who["token"]
        self.address, self.name, self.problems = who["address"] + "/api/v1/problems", name, problems
        self.random = random.Random(seed)  # noqa: S311 - an order of work
        self.answers: list[list[Any]] = []

    def shuffled(self) -> list[str]:
        """The problems in an order of this writer's own."""
        return self.random.sample(self.problems, len(self.problems))

    def steps(self, told: dict[str, Any]) -> None:
        """Take the same steps with every problem."""
        for action in told["actions"]:
            for uid in self.shuffled():
                body = {"action": action}
                if action == "dispatch":
                    body["organisation"] = self.random.choice(told["bodies"])
                answer = self.http.post(f"{self.address}/{uid}/steps", json=body, timeout=120)
                self.answers.append(
                    [uid, action, answer.status_code, body.get("organisation"), answer.text[:300]]
                )

    def corrections(self, _told: dict[str, Any]) -> None:
        """Add a word of one's own to every description, again where somebody was faster."""
        for uid in self.shuffled():
            attempt, status = 0, 412
            while status == 412 and attempt < 200:
                seen = self.http.get(f"{self.address}/{uid}", timeout=120)
                body = {"description": f"{seen.json()['description']} {self.name}"}
                headers = {"If-Match": seen.headers["ETag"].removeprefix("W/")}
                answer = self.http.patch(f"{self.address}/{uid}", json=body, headers=headers, timeout=120)
                attempt, status = attempt + 1, answer.status_code
            self.answers.append([uid, attempt - 1, answer.status_code, None, answer.text[:300]])

    def reports(self, told: dict[str, Any]) -> None:
        """Send the same reports as everybody else, and some of one's own."""
        own = [str(uuid.UUID(int=self.random.getrandbits(128), version=4)) for _ in range(told["own"])]
        wanted = [*told["uids"], *own]
        for uid in self.random.sample(wanted, len(wanted)):
            body = {"uid": uid, "category": "0401", "lon": told["lon"], "lat": told["lat"]}
            answer = self.http.post(self.address, json=body, timeout=120)
            self.answers.append([uid, "report", answer.status_code, None, answer.text[:300]])


def main() -> None:
    told = json.load(sys.stdin)
    writer = Writer(told["who"], told["name"], told.get("problems", []), told["seed"])
    getattr(writer, told["work"])(told)
    json.dump(writer.answers, sys.stdout)


if __name__ == "__main__":
    main()
