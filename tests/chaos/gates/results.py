"""Results: nothing lost, nothing twice, nothing that disagrees with the plan, and the pixels of an undisturbed run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.gates.evidence import Evidence


def nothing_lost(evidence: Evidence) -> list[str]:
    """Every planned variation has a current image or a failure with a reason."""
    return [
        f"variation {row['id']} is lost: {[(job['stage'], job['state'], job['error_text']) for job in evidence.chains[row['id']]]}"
        for row in evidence.lost
    ]


def nothing_twice(evidence: Evidence) -> list[str]:
    """One current result for each job, one success in each round, one attempt of each number."""
    found = [f"variation {row['id']} has {len(evidence.current[row['id']])} current images" for row in evidence.doubled]
    for name, rows in (("captions", evidence.captions), ("prompts", evidence.prompts), ("images", evidence.images)):
        counts = Counter(row["job_id"] for row in rows if row["current"])
        found += [f"job {job} has {count} current {name}" for job, count in counts.items() if count > 1]
    keys = Counter(row["job_key"] for row in evidence.jobs)
    planned = Counter((row["campaign_id"], row["artwork_id"], row["variation_id"], row["stage"]) for row in evidence.jobs)
    found += [f"{count} jobs are {what}" for what, count in [*keys.items(), *planned.items()] if count > 1]
    variations = Counter((row["campaign_id"], row["artwork_id"], row["level"], row["ordinal"]) for row in evidence.variations)
    found += [f"{count} variations are {what}" for what, count in variations.items() if count > 1]
    rounds = Counter((row["job_id"], row["round"]) for row in evidence.attempts if row["outcome"] == "done")
    found += [f"job {job} was done {count} times in round {number}" for (job, number), count in rounds.items() if count > 1]
    numbers = Counter((row["job_id"], row["number"]) for row in evidence.attempts)
    return [*found, *(f"job {job} has {count} attempts of number {number}" for (job, number), count in numbers.items() if count > 1)]


def results_agree(evidence: Evidence) -> list[str]:
    """A current image was made from the current prompt and its variation's seed; a caption describes the image that is current."""
    prompts = {row["variation_id"]: row["id"] for row in evidence.prompts if row["current"]}
    seeds = {row["id"]: row["seed"] for row in evidence.variations}
    found = []
    for variation, images in evidence.current.items():
        for image in images:
            if image["prompt_id"] != prompts.get(variation):
                found.append(f"image {image['id']} of variation {variation} was made from prompt {image['prompt_id']}")
            if image["seed"] != seeds[variation]:
                found.append(f"image {image['id']} of variation {variation} has another seed than the plan")
    current = {image["id"] for images in evidence.current.values() for image in images}
    done = {job["id"] for job in evidence.jobs if job["state"] == "done"}
    described = [row for row in evidence.captions if row["current"] and row["image_id"] is not None and row["job_id"] in done]
    return found + [
        f"caption {row['id']} describes image {row['image_id']}, a past one" for row in described if row["image_id"] not in current
    ]


def same_pixels(evidence: Evidence) -> list[str]:
    """Equal to an undisturbed run of the same plan, but where a new seed was asked for."""
    found, compared = [], 0
    for row in evidence.variations:
        if row["campaign_id"] != evidence.main or row["redraws"]:
            continue
        key = (evidence.numbers[row["artwork_id"]], row["level"], row["ordinal"])
        for image in evidence.current.get(row["id"], ()):
            compared += 1
            if image["pixel_hash"] != evidence.undisturbed.get(key):
                found.append(f"variation {key} has other pixels than in an undisturbed run")
    return found if compared else ["no image was compared with an undisturbed run"]


def failed_as_planted(evidence: Evidence) -> list[str]:
    """Exactly what was planted has failed, each told as what it is."""
    plan, guilty = evidence.world.plan, evidence.world.plan.guilty()
    of_files = {plan.truncated, plan.gone}
    found = []
    for job in evidence.jobs:
        number = evidence.numbers[job["artwork_id"]]
        stage, kinds = ("caption", frozenset({"input"})) if number in of_files else ("", frozenset())
        if number in guilty:
            stage, kinds = guilty[number].stage, guilty[number].told_as
        what = f"artwork {number}, {job['stage']}: {job['state']} {job['error_kind']} {str(job['error_text'])[:160]}"
        if job["state"] == "failed" and (job["stage"] != stage or job["error_kind"] not in kinds):
            found.append(f"not planted: {what}")
        if job["stage"] == stage and job["state"] not in {"failed", "cancelled"}:
            found.append(f"planted, and has not failed: {what}")
    return found
