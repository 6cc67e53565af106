"""Judging a saved model by what the record holds: its own test triplets again, or what it has not seen of another campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.results.pairs import originals
from db.training import Split, find_triplet_set, triplets_of
from trainer.comparison import check_embedder
from trainer.corpus import gather_corpus
from trainer.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.embeddings import PictureSource, embed
from trainer.errors import NothingToTrainOn, TripletSetDiffers
from trainer.evaluation import Evaluation, evaluate
from trainer.model_folder import learned_groups
from trainer.negatives import OtherStyle
from trainer.rows import triplet_rows
from trainer.triplets import draw_triplets, hash_of
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from db.campaigns import Campaign
    from db.engine import Database
    from db.store import Store
    from trainer.embeddings import Embedder
    from trainer.model_folder import TrainedModel


def judge_again(database: Database, store: Store, model: TrainedModel, embedder: Embedder) -> Evaluation:
    """The evaluation on the test part of the triplet set that the model was trained from.

    Raises:
        TripletSetDiffers: the record does not know the set, or its pictures were replaced since.
    """
    facts = model.config.triplets
    triplet_set = find_triplet_set(database, facts.name)
    if triplet_set is None or triplet_set.content_hash != facts.content_hash:
        raise TripletSetDiffers(
            f"this database does not hold the triplets {facts.name!r} of {model.directory}: name a campaign to judge by"
        )
    drawn = triplets_of(database, triplet_set.id)
    if hash_of(drawn) != facts.content_hash:
        raise TripletSetDiffers(f"pictures of the triplets {facts.name!r} were replaced since: train again, or name a campaign to judge by")
    test = [triplet for triplet in drawn if triplet.part is Split.TEST]
    embedder.load()
    check_embedder(model, embedder)
    known = originals(database, triplet_set.campaign_id)
    links = {original.content_hash: original.link for original in known}
    hashes = dict.fromkeys(hash_ for t in test for hash_ in (t.anchor_hash, t.positive_hash, t.negative_hash))
    space = EmbeddingSpace(model=model.config.clip.location, revision=embedder.revision, dtype=model.config.clip.dtype)
    embeddings = embed(
        [PictureSource(content_hash=content_hash, link=links.get(content_hash)) for content_hash in hashes],
        embedder=embedder,
        cache=EmbeddingCache(store, space),
        store=store,
    )
    groups = {original.key: original.group_key for original in known}
    return evaluate(model.head, embeddings.vectors, triplet_rows(test, embeddings.rows, groups))


def judge_campaign(
    database: Database, store: Store, model: TrainedModel, embedder: Embedder, campaign: Campaign, *, negatives: int = 4
) -> Evaluation:
    """The evaluation on all of a campaign but the groups of copies that the model learned from."""
    source = ModelSource(location=model.config.clip.location, revision=model.config.clip.revision, dtype=model.config.clip.dtype)
    embedder.load()
    check_embedder(model, embedder)
    corpus = gather_corpus(database, store, campaign, embedder=embedder, clip=source)
    learned = learned_groups(model.directory)
    parts = {group: Split.TEST for group in corpus.group_styles if group not in learned}
    if not parts:
        raise NothingToTrainOn(f"the model has learned from every artwork of campaign {campaign.name!r}: judge it by another one")
    drawing = draw_triplets(
        works=corpus.works,
        repaints=corpus.repaints,
        parts=parts,
        strategy=OtherStyle,
        per_repaint=negatives,
        seed=model.config.triplets.seed,
        needed=(Split.TEST,),
    )
    groups = {work.key: work.group_key for work in corpus.works}
    return evaluate(model.head, corpus.embeddings.vectors, triplet_rows(drawing.triplets, corpus.embeddings.rows, groups))
